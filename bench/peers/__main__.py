"""`python -m peers FD`: serve on a listening socket, set up as `afterword web` is."""

import sys

import uvicorn

from peers.app import app

uvicorn.run(app, fd=int(sys.argv[1]), log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30)
