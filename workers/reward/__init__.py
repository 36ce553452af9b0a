"""The reward classifier: a network that tells success from pictures, trained from datasets with rewards.

`model` is the network with its preprocessing, `checkpoint` keeps and loads it, `train` makes one.
"""
