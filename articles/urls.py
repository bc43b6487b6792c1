"""The public pages of articles: their pictures, as posts and previews show them."""

from django.urls import path

from articles import views

urlpatterns = [
    path("<str:sha256>/", views.picture, name="picture"),
]
