def unhealthy(x): return False
