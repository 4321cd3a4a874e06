"""Ways of ordering a recurrent network's work: NetworkSpec x Arch -> Program."""
