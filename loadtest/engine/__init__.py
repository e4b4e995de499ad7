"""The load generator: knows nothing of Django, needs the standard library only, runs as processes of its own.

plan        what a run is: mode, rate, concurrency, limits; the time each request is due; parts of a run
requests    the request as bytes, the addresses of the target
pyloop      the event loop, with connections.py for all that is not its hot path
http1       HTTP/1.1 responses: framing without input or output
stats       the shared page of figures that every process of a run writes and the supervisor reads
capture     the way of sampled exchanges from the loop to the supervisor
worker      one process, one loop
supervisor  `Run`: starts the workers, adds up their pages, ends them
figures     `Figures`: added up from pages, dumps or parts; `dump`, `load`, `merge`
samples     `Samples`: exchanges that are kept; `dump`, `load`, `merge`; `exchange.parse` reads one
series      `Series.tick(figures)`: the live series
report      `report(outline, figures, samples)`: the report, partial or complete
cli         `pharos load`

A run in short: `with Run(spec, workers=…, tick_s=…, part=k, parts=n) as run: run.start()`, then `run.tick()` until
`run.running` is false, one more for the settled totals, `run.result()`. Whoever wants the report to outlive this
process keeps `asdict(spec.outline)`, `run.figures().dump()` and `run.samples.dump()`: all three are plain JSON.
"""
