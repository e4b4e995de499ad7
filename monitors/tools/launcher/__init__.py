"""The first program of a tool's process: starts the tool without rights, and outlives it (contract: monitors §8.1).

Run as a folder, `python -I -S launcher`, with a JSON object on standard input, so that neither limits nor secrets go
through code between fork and exec, which is unsafe in a process with threads, or show in a process list. Its modules
import the standard library and each other only.
"""
