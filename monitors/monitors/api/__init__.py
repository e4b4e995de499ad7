"""The monitors API: bodies, serializers, views."""
