"""HTTP/1.1 on asyncio, for everything of the sandbox that opens or takes a connection; pure Python.

`messages` reads heads and measures bodies and does no I/O. `connection` carries them: one class for the side that
answers (the load balancer's listeners, AWS's API) and one for the side that asks (the load balancer towards a
target, its health checks, the load).
"""
