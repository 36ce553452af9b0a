"""Guardian."""


def main(desk, config, board):
    pass
