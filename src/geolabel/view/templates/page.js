function geolabelPage(map, page) {
  'use strict';
  var settings = page.settings;
  var byId = document.getElementById.bind(document);

  // ------------------------------------------------------------ the first view
  function fit() { map.fitBounds(settings.focus, {animate: false}); }
  L.rectangle(settings.extent, {color: '#4d5a66', weight: 1, dashArray: '2 4', fill: false, interactive: false}).addTo(map);

  // ------------------------------------------------------------ hours
  function showHour(chosen) {
    page.fills.forEach(function (fill, number) {
      if (number === chosen) { fill.addTo(map); } else { map.removeLayer(fill); }
    });
    byId('gl-until').textContent = 'by ' + settings.until[chosen];
  }
  byId('gl-hours').addEventListener('change', function (event) { showHour(Number(event.target.value)); });
  L.DomEvent.disableClickPropagation(byId('gl-hours'));

  // ------------------------------------------------------------ expiry
  function watch() {
    var now = Date.now();
    var banner = byId('gl-expired');
    var text = now > settings.valid_to ? settings.expired : now < settings.valid_from ? settings.early : '';
    if (banner.textContent !== text) { banner.textContent = text; }
    if (banner.hidden !== !text) { banner.hidden = !text; map.invalidateSize(); }
  }
  watch();
  window.setInterval(watch, 20000);

  // ------------------------------------------------------------ coordinates in degrees and decimal minutes
  function minutes(value, letters, digits) {
    var unit = Math.pow(10, digits), total = Math.round(Math.abs(value) * 60 * unit);
    var degrees = Math.floor(total / (60 * unit)), rest = (total % (60 * unit)) / unit;
    return degrees + '°' + (rest < 10 ? '0' : '') + rest.toFixed(digits) + '′ ' + letters[value < 0 ? 1 : 0];
  }
  function show(what, at) {
    byId('gl-where').textContent = what + '  ' + minutes(at.lat, 'NS', 3) + ', ' + minutes(at.lng, 'EW', 3) +
      '  (' + (at.lat.toFixed(5) + ', ' + at.lng.toFixed(5)).replace(/-/g, '−') + ')';
  }
  map.on('mousemove', function (event) { show('Cursor', event.latlng.wrap()); });
  map.on('moveend', function () { show('Map centre', map.getCenter().wrap()); });

  // ------------------------------------------------------------ graticule: whole minutes, labels on the map's edge
  var STEPS = [1 / 60, 1 / 12, 1 / 6, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800];
  function label(at, text, kind) {
    var icon = L.divIcon({className: 'gl-grat gl-grat-' + kind, html: '<span>' + text + '</span>', iconSize: null});
    page.graticule.addLayer(L.marker(at, {icon: icon, interactive: false, keyboard: false, pane: 'glLines'}));
  }
  function graticule() {
    var bounds = map.getBounds(), size = map.getSize();
    page.graticule.clearLayers();
    var wide = (bounds.getEast() - bounds.getWest()) * 60, most = Math.max(2, size.x / 150);
    var step = STEPS.filter(function (s) { return wide / s <= most; })[0] || 3600;
    var digits = step >= 1 ? 0 : step >= 0.25 ? 2 : 3;
    function lines(low, high, draw) {
      for (var n = Math.ceil(low * 60 / step); n * step <= high * 60; n += 1) { draw(n * step / 60); }
    }
    function line(points) {
      page.graticule.addLayer(L.polyline(points, {color: '#37424d', weight: 0.6, opacity: 0.55, interactive: false, pane: 'glLines'}));
    }
    lines(bounds.getWest(), bounds.getEast(), function (lon) {
      line([[bounds.getSouth(), lon], [bounds.getNorth(), lon]]);
      label([bounds.getSouth(), lon], minutes(lon, 'EW', digits), 'lon');
    });
    lines(bounds.getSouth(), bounds.getNorth(), function (lat) {
      line([[lat, bounds.getWest()], [lat, bounds.getEast()]]);
      label([lat, bounds.getWest()], minutes(lat, 'NS', digits), 'lat');
    });
  }
  map.on('moveend viewreset resize', graticule);

  // ------------------------------------------------------------ the sheet on a small screen
  var sheet = byId('gl-sheet'), more = byId('gl-more'), small = window.matchMedia('(max-width: 760px)');
  function fold(low) {
    sheet.classList.toggle('gl-low', low);
    more.setAttribute('aria-expanded', String(!low));
    more.textContent = low ? 'Legend and details' : 'Back to the map';
    if (low) {
      sheet.scrollTop = 0;
      document.body.style.setProperty('--sheet-low', sheet.offsetHeight + 'px');
      map.invalidateSize();
    }
  }
  more.addEventListener('click', function () { fold(!sheet.classList.contains('gl-low')); });
  function arrange() { if (small.matches) { fold(true); } else { sheet.classList.remove('gl-low'); } map.invalidateSize(); }
  small.addEventListener('change', arrange);

  // ------------------------------------------------------------ print: the same ground on the sheet's map
  var seen = null;
  window.addEventListener('beforeprint', function () { seen = map.getBounds(); window.setTimeout(function () {}, 0); refit(seen); });
  window.addEventListener('afterprint', function () { map.invalidateSize({animate: false}); if (seen) { map.fitBounds(seen, {animate: false}); } });
  window.matchMedia('print').addEventListener('change', function (event) { if (event.matches) { refit(seen || map.getBounds()); } });
  function refit(bounds) { map.invalidateSize({animate: false, pan: false}); map.fitBounds(bounds, {animate: false}); }

  arrange();
  fit();
}
