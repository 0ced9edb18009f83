"""Finite networks against their infinite-width limits: from predictions of both sides to numbers.

Distances of functions on the same images, how fast they shrink with the width, what an ensemble
of seeds predicts, and how well a number of test images determines an accuracy. All are pure
functions on arrays; none knows how a prediction was made.
"""
