"""The public pages of publishing."""

from django.urls import path

from publishing import views

urlpatterns = [
    path("<slug:slug>/", views.sandbox, name="sandbox"),
    path("<slug:slug>/posts/", views.sandbox_posts, name="sandbox_posts"),
]
