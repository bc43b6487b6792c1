"""How people come in: passwords, second factors, limits on guessing, and the list of who is signed in where."""
