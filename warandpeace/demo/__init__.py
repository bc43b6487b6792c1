"""What a newcomer sees at the first start: a small feed of invented news, served by the project itself."""
