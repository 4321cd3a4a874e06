"""Tools of others that predict or simulate machines which archsim has, run beside it: what they need is optional."""
