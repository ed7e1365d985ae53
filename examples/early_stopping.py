"""A network that stops when it no longer learns, written to a file and read again.

You see how many epochs it trained, which epoch it kept, and that the network from the file
predicts the same numbers. The file holds arrays and JSON: nothing in it can run.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import cuesta

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

net = cuesta.MLPClassifier(
    (64,), dropout=0.2, epochs=200, early_stopping=True, n_iter_no_change=20, random_state=0
)
net.fit(X_train, y_train)
loss = net.history_["validation_log_loss"][net.best_epoch_ - 1]
print(f"trained {net.n_epochs_} of {net.epochs} epochs and kept epoch {net.best_epoch_}")
print(f"its log-loss on the rows that were held out: {loss:.4f}")
print(f"accuracy on the test rows: {net.score(X_test, y_test):.4f}")

file = Path("digits.safetensors")
net.save(file)
again = cuesta.load(file)
same = np.array_equal(again.predict_proba(X_test), net.predict_proba(X_test))
print(f"the file of {file.stat().st_size:,} bytes predicts the same: {same}")
