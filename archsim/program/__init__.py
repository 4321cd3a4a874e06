"""The program: ops as frozen data, the dependency builder, the static verifier, the untimed interpreter."""
