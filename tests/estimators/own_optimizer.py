"""An optimizer of a user's own, in a module that another process can import."""

import cuesta.optim

MADE = []  # the optimizers that this process made


def doubled_sgd(learning_rate):
    MADE.append(learning_rate)
    return cuesta.optim.sgd(2.0 * learning_rate)
