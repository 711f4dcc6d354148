"""Plans for joiners, movers and leavers: steps in a line, their runs, and the dates on which they run."""
