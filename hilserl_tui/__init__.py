"""The console: a disposable terminal screen that draws the station's state and takes keys.

It owns no worker and no data. Closing it, killing it or losing its terminal harms neither arm nor run.
"""
