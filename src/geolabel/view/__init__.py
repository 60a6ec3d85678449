"""Maps for people: folium, one offline file, cloud-optimised GeoTIFF. The only room that imports folium."""
