"""The commands of ``organism``, one module a command or family.

Each command module has an ``add`` that declares its options and names the function that
answers them with an exit code.
"""
