"""`invoke rehearse`: every cell of a profile at its full sizes, two steps of each training.

`shortened` makes the profile small where that changes no network; `counted` is the training loop
that runs two steps and counts; `stage` runs the cells on one backend, in a process of its own;
`estimate` says how long the whole run takes.
"""
