"""Whether two-way charging, a station battery and posted prices are worth it at a site."""
