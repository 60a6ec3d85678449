"""Where the fire is when: first arrival on a grid."""
