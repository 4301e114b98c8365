"""The contact's page, `/survey?token=…`: the one face of the product that a buyer sees."""

from fastapi import APIRouter

from afterword.survey import pages, unsubscribe
from afterword.survey.problems import error_page
from afterword.survey.render import static_files, templates

router = APIRouter()
router.include_router(pages.router)
router.include_router(unsubscribe.router)

__all__ = ["error_page", "router", "static_files", "templates"]
