"""What the weather does to the fuel: moisture by time lag, and the Canadian Fire Weather Index System."""
