"""The public pages of articles: their pictures, as posts and previews show them."""

from django.urls import re_path

from articles import views

urlpatterns = [
    re_path(r"^(?P<sha256>[0-9a-f]{64})/$", views.picture, name="picture"),
]
