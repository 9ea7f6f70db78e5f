"""Words of the domain: ids, phases, plans, verdicts, events, commands, errors. They import nothing but each other."""
