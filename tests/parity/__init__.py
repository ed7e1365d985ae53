"""Our optimizers beside other frameworks' on the same random problems."""
