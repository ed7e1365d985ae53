"""A training that goes wrong, what the doctor says of it, and the same data without the fault.

You see the findings for a deep network of sigmoids, the gravest first: each with the figures that
show it, what to do, and the parameter to change. Then the findings for a network that follows
this advice.
"""

from sklearn.datasets import load_digits

from cuesta import MLPClassifier

X, y = load_digits(return_X_y=True)

deep = MLPClassifier((32,) * 6, "sigmoid", optimizer="sgd", epochs=5, random_state=0)
told = deep.diagnose(X, y)
print("six layers of sigmoids:")
print(told)
print(f"parameters to change: {', '.join(finding.parameter for finding in told.findings)}")

shallow = MLPClassifier((64,), "relu", epochs=10, random_state=0)
print("\none layer of ReLU:")
print(shallow.diagnose(X, y))
