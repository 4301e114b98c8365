"""The same endpoint written the usual way, to compare with: FastAPI, pydantic, SQLAlchemy's asyncio ORM, psycopg.

It works on the same tables, does the same checks and writes the same rows, as one would write it without a second
thought: a session per request, one statement after the other, a commit for the rate counter and one for the work.
"""
