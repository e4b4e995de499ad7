"""The load generator: knows nothing of Django, needs the standard library only, runs as processes of its own.

plan      what a run is: mode, rate, concurrency, limits; the time each request is due
requests  the request as bytes, the addresses of the target
stats     the shared page of figures that every process of a run writes and the supervisor reads
http1     HTTP/1.1 responses: framing without input or output
pyloop    the event loop, with connections.py for all that is not its hot path
capture   the way of sampled exchanges from the loop to the supervisor
worker    one process, one loop
supervisor  starts the workers, adds up their pages, ends them
report    ticks and the final report from added-up figures
cli       `pharos load`
"""
