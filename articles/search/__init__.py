"""Search over all articles. The only door is `Article.objects.search(text)`; `docs/search.md` tells how it works."""
