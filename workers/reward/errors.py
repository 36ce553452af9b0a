"""The exceptions of this room; their texts are for the operator."""


class ClassifierError(Exception):
    """A reward classifier that cannot be trained, kept, loaded or sent."""


class ClassifierMismatch(ClassifierError):
    """A classifier, or data for one, that does not fit; the text has a table of what differs."""
