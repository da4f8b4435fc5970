"""Sound: files to samples, samples to segments, segments to features."""
