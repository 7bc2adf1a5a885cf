"""How tasks are found (entry points, task files), and how ``toolkit new`` makes one."""
