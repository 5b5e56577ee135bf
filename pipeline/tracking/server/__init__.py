"""The MLflow server that the user may name: its address, whether it answers, how long to wait."""
