"""Cameras: one process each, newest frame in shared memory."""

import os

# Read when OpenCV loads, so before anything here does. What is wrong with a camera is told in the operator's words.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")  # seconds
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
