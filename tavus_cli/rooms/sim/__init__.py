"""The simulated PAL: a room without an account or a network."""


def is_simulated(target: str) -> bool:
    """Whether a TARGET is the simulation: "sim", "sim:FILE.toml", "sim:?seed=7"."""
    return target == "sim" or target.startswith("sim:")
