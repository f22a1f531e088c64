"""`manage.py rebuild`: fold the stored records again and put the result in the place of the live rows."""
