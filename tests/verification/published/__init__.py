"""Published results, reproduced through the public functions: one script a case.

Each script says where the numbers come from, what the rule and its activation are, and has ``check(report, short)``,
which runs the model and puts measured beside expected. ``python tests/verification/validate.py`` runs all and writes
VALIDATION.md.
"""

CASES = ("spatial_dilemma", "fixation_on_graphs", "response_thresholds", "specialisation", "division_of_labour",
         "effective_information", "diffusion_and_consensus", "learning", "contagion", "flow_networks", "herding",
         "money")
