"""Every address the product answers."""

from django.contrib import admin
from django.urls import include, path

from publishing.bot import webhook
from warandpeace import health, views
from warandpeace.demo import views as demo

admin.autodiscover()

urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("demo/feed.xml", demo.feed, name="demo-feed"),
    path("demo/news/<slug:slug>/", demo.article, name="demo-article"),
    path("sandbox/", include("publishing.urls")),
    path("pictures/", include("articles.urls")),
    path("telegram/webhook/", webhook.receive, name="telegram-webhook"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/sign-in/", include("warandpeace.signing_in.urls")),
    path("admin/", admin.site.urls),
]
