"""Work side by side: threads, dask clusters, devices."""
