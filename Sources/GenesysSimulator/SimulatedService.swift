internal import GenesysLoop
