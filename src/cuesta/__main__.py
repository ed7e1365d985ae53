"""`python -m cuesta`: the same as the command `cuesta`."""

from cuesta.cli import main

main()
