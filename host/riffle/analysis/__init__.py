"""Look at runs: profiles, comparisons, baselines, reports."""
