"""The survey of a finished map: a stratified sample, its accuracy and area with honest limits."""
