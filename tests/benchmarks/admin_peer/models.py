"""A person, as the admin lists them: with the columns of the console's list of users."""

from django.db import models


class Person(models.Model):
    name = models.CharField(max_length=200)
    username = models.CharField(max_length=200, unique=True)
    email = models.EmailField()
    population = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    last_sign_on_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.name
