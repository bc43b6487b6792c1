"""Sites without a feed: what stands where on their pages, as their source's row says it, and how it is read."""
