(() => {
  'use strict';
  const data = JSON.parse(document.getElementById('data').textContent);
  const $ = (id) => document.getElementById(id);
  const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  const part = (text) => encodeURIComponent(text).replace(/%2F/g, '/').replace(/%2B/g, '+');
  const address = (cell) => `#cell=${[cell.runtime, cell.function, cell.scenario].map(part).join(',')}`;
  const link = (cell, text) => `<a href="${escape(address(cell))}">${escape(text)}</a>`;
  const broken = (text) => escape(text).replace(/[/]/g, '/<wbr>').replace(/[+]/g, '<wbr>+');
  const classes = new Set(data.cells.map((cell) => cell.class)).size > 1;

  // Tables that sort. What has no number comes last, up and down.
  const names = new Intl.Collator('en', { numeric: true });
  const sizes = {
    ns: 1, µs: 1e3, ms: 1e6, s: 1e9, B: 1, KiB: 1024, MiB: 1048576, GiB: 1073741824, '/s': 1, 'k/s': 1e3, 'M/s': 1e6, k: 1e3, M: 1e6, G: 1e9,
  };
  // What a text is worth, if it is a number, with a unit or without.
  function amount(text) {
    const [, number, unit] = /^(-?[\d.]+)(?: ?(\S+))?$/.exec(text) || [];
    return number === undefined || Number.isNaN(Number(number)) ? text : Number(number) * (sizes[unit] || 1);
  }
  function sort(table, column, down) {
    const body = table.tBodies[0];
    const key = (row) => {
      const cell = row.cells[column];
      if (!cell) return null;
      return cell.dataset.v !== undefined ? Number(cell.dataset.v) : amount(cell.textContent.trim());
    };
    // Seconds and bytes stay apart.
    const unit = (row) => (row.cells[column] && row.cells[column].dataset.u) || '';
    const rows = [...body.rows].map((row, place) => ({ row, key: key(row), unit: unit(row), place }));
    const numbers = rows.some((one) => typeof one.key === 'number');
    const missing = (one) => one.key === null || one.key === '' || (numbers && typeof one.key !== 'number');
    const sign = down ? -1 : 1;
    rows.sort((a, b) => missing(a) - missing(b)
      || (missing(a) ? 0 : names.compare(a.unit, b.unit) || sign * (numbers ? a.key - b.key : names.compare(a.key, b.key)))
      || a.place - b.place);
    body.append(...rows.map((one) => one.row));
    for (const head of table.tHead.rows[0].cells) head.removeAttribute('aria-sort');
    table.tHead.rows[0].cells[column].setAttribute('aria-sort', down ? 'descending' : 'ascending');
  }
  function sortable(table) {
    if (table.tBodies[0].rows.length < 2) return;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      button.addEventListener('click', () => sort(table, column, head.getAttribute('aria-sort') === 'ascending'));
      head.append(button);
    });
  }
  document.querySelectorAll('main table').forEach(sortable);

  const words = ['Class', 'Function', 'Scenario'];
  const heads = (titles) => `<thead><tr>${titles.map((title) => `<th scope="col"${words.includes(title) ? ' class="name"' : ''}>${title}</th>`).join('')}</tr></thead>`;

  // The table of all cells.
  const value = (text, number, kind, unit) => `<td${kind ? ` class="${kind}"` : ''}${unit ? ` data-u="${unit}"` : ''}`
    + `${Number.isFinite(number) ? ` data-v="${number}"` : ''}>${text}</td>`;
  const name = (text) => `<td class="name">${escape(text)}</td>`;
  const row = (cell) => {
    const first = `<th scope="row">${broken(cell.runtime)}</th>${classes ? name(cell.class) : ''}${name(cell.function)}${name(cell.scenario)}`;
    if (cell.failed) return `<tr>${first}${value(link(cell, `failed: ${cell.failed}`), NaN, 'failed')}<td></td><td></td><td></td></tr>`;
    return `<tr>${first}${value(link(cell, cell.shown), cell.value, cell.ratio === 1 ? 'best' : '', cell.unit)}`
      + `${value(escape(cell.interval))}${value(escape(cell.times), cell.ratio)}${value(escape(tail(cell)), cell.p99)}</tr>`;
  };
  const tail = (cell) => (cell.percentiles.find(([which]) => which === 'p99') || ['', '-'])[1];
  function allCells() {
    if (!$('cells')) return;
    const titles = ['Runtime', ...(classes ? ['Class'] : []), 'Function', 'Scenario', 'Number', '95 % interval', 'Ratio', 'p99'];
    $('cells').innerHTML = `<table class="numbers all">${heads(titles)}`
      + `<tbody>${data.cells.map(row).join('')}</tbody></table>`;
    const table = $('cells').firstChild;
    const rows = [...table.tBodies[0].rows];
    sortable(table);
    const chosen = ['runtime', 'function', 'scenario', 'class'].map((which) => [which, $(`by-${which}`)]);
    $('by-class').closest('label').hidden = !classes;
    const filter = () => {
      const parts = $('search').value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      data.cells.forEach((cell, at) => {
        const text = `${cell.runtime} ${cell.class} ${cell.function} ${cell.scenario} ${cell.failed || ''}`.toLowerCase();
        const fits = parts.every((word) => text.includes(word))
          && chosen.every(([which, select]) => !select.value || cell[which] === select.value);
        rows[at].hidden = !fits;
        count += fits;
      });
      $('shown').value = `${count} of ${data.cells.length} cells`;
    };
    $('search').addEventListener('input', filter);
    chosen.forEach(([, select]) => select.addEventListener('change', filter));
    $('clear').addEventListener('click', () => {
      $('search').value = '';
      chosen.forEach(([, select]) => { select.value = ''; });
      filter();
    });
    $('filters').hidden = false;
    filter();
  }
  allCells();

  // Numbers at axes.
  const units = {
    ns: [['ns', 1], ['µs', 1e3], ['ms', 1e6], ['s', 1e9]],
    bytes: [['B', 1], ['KiB', 1024], ['MiB', 1048576], ['GiB', 1073741824]],
    'per second': [['/s', 1], ['k/s', 1e3], ['M/s', 1e6]],
    instructions: [['', 1], ['k', 1e3], ['M', 1e6], ['G', 1e9]],
  };
  const show = (number, unit) => {
    const [name, size] = units[unit].filter(([, least]) => Math.abs(number) >= least * 0.9995).pop() || units[unit][0];
    return `${Number((number / size).toPrecision(3))} ${name}`.trim();
  };
  function ticks(low, high, log) {
    if (!log) {
      const step = 10 ** Math.floor(Math.log10(high - low));
      const fine = [0.1, 0.2, 0.25, 0.5, 1, 2].map((f) => f * step).find((s) => (high - low) / s <= 7);
      const first = Math.ceil(low / fine);
      return Array.from({ length: Math.floor(high / fine) - first + 1 }, (_, i) => (first + i) * fine);
    }
    // The finest of these that are not too many.
    const steps = [[1, 1.5, 2, 3, 4, 5, 6, 8], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]];
    const powers = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) powers.push(power);
    const of = (digits) => powers.flatMap((power) => digits.map((digit) => digit * 10 ** power))
      .filter((tick) => tick >= low && tick <= high);
    return steps.map(of).find((all) => all.length <= 8) || of([1]).filter((tick, at) => at % 2 === 0);
  }
  // An axis from `low` to `high`, logarithmic where that is more than a factor of three.
  function axis(low, high, left, right) {
    const log = low > 0 && high / low > 3;
    const room = log ? (high / low) ** 0.03 : (high - low) * 0.03 || Math.abs(high) * 0.05 || 1;
    const [from, to] = log ? [low / room, high * room] : [low - room, high + room];
    const scale = log ? Math.log : (x) => x;
    const at = (x) => left + ((right - left) * (scale(x) - scale(from))) / (scale(to) - scale(from));
    return { at, from, to, log, ticks: ticks(from, to, log) };
  }

  // What HdrHistogram's encoding V2 holds: [[value, count], ...], in ascending order.
  async function decode(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const inflated = new Blob([bytes.subarray(8)]).stream().pipeThrough(new DecompressionStream('deflate'));
    const plain = new DataView(await new Response(inflated).arrayBuffer());
    const half = Math.max(1, Math.ceil(Math.log2(2 * 10 ** plain.getInt32(12)))) - 1;
    const unit = Math.floor(Math.log2(Number(plain.getBigInt64(16)) || 1));
    const value = (index) => {
      let bucket = (index >> half) - 1;
      let inner = (index & (2 ** half - 1)) + 2 ** half;
      if (bucket < 0) [bucket, inner] = [0, inner - 2 ** half];
      const width = 2 ** (bucket + unit);
      return inner * width + (width - 1) / 2;
    };
    const end = 40 + plain.getInt32(4);
    const counts = [];
    for (let at = 40, index = 0; at < end;) {
      let number = 0;
      for (let shift = 0, more = true; more; shift += 1) {
        const byte = plain.getUint8(at);
        at += 1;
        more = shift < 8 && byte > 127;
        number += (more ? byte & 127 : byte) * 128 ** shift;
      }
      const count = number % 2 ? -(number + 1) / 2 : number / 2;
      if (count > 0) counts.push([value(index), count]);
      index += count < 0 ? -count : 1;
    }
    return counts;
  }

  // Drawings, 720 wide.
  const WIDTH = 720;
  const text = (x, y, words, anchor = 'start', kind = '') => `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" class="${kind}">${escape(words)}</text>`;
  const svg = (height, title, shapes) => `<div class="wide" tabindex="0" role="group" aria-label="${escape(title)}"><svg class="own" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">${shapes}</svg></div>`;
  const across = (axis_, unit, y, top) => axis_.ticks.map((tick) => `<line class="grid" x1="${axis_.at(tick).toFixed(1)}" x2="${axis_.at(tick).toFixed(1)}" y1="${top}" y2="${y}"/>${text(axis_.at(tick), y + 16, show(tick, unit), 'middle', 'soft')}`).join('');
  const inside = (scale, x) => scale.at(Math.min(Math.max(x, scale.from), scale.to));
  const band = (cell, scale, top, bottom) => {
    const [low, high] = [inside(scale, cell.low), inside(scale, cell.high === null ? Infinity : cell.high)];
    return `<rect class="interval" x="${low.toFixed(1)}" width="${Math.max(high - low, 1).toFixed(1)}" y="${top}" height="${bottom - top}"/>`;
  };
  const middle = (cell, scale, top, bottom) => {
    const x = inside(scale, cell.value).toFixed(1);
    return `<line class="median" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>`;
  };
  // Of how many samples had which value; below, the median of each process.
  function distribution(cell, counts) {
    const bins = 72;
    const scale = axis(counts[0][0], counts[counts.length - 1][0], 16, WIDTH - 16);
    const heights = new Array(bins).fill(0);
    counts.forEach(([x, count]) => {
      heights[Math.min(bins - 1, Math.floor((bins * (scale.at(x) - 16)) / (WIDTH - 32)))] += count;
    });
    const highest = Math.max(...heights);
    const width = (WIDTH - 32) / bins;
    const bars = heights.map((height, at) => height && `<rect class="bar" x="${(16 + at * width + 0.5).toFixed(1)}" width="${(width - 1).toFixed(1)}" y="${(190 - (160 * height) / highest).toFixed(1)}" height="${((160 * height) / highest).toFixed(1)}"/>`).filter(Boolean).join('');
    const processes = cell.rounds.filter((round) => round.median).map((round) => `<circle class="dot" cx="${scale.at(round.median).toFixed(1)}" cy="226" r="4"><title>process ${round.round + 1}: ${escape(round.shown)}</title></circle>`).join('');
    return svg(250, `Distribution of ${cell.samples} samples`, `${band(cell, scale, 24, 190)}${across(scale, cell.unit, 190, 24)}${bars}${middle(cell, scale, 24, 190)}${text(16, 14, `up to ${highest} of ${cell.samples} samples in a bar; ${scale.log ? 'logarithmic' : 'linear'} axis; line and band: ${cell.number} and 95 % interval`, 'start', 'soft')}${processes}${text(16, 246, 'dots: the median of each process', 'start', 'soft')}`);
  }
  function percentiles(cell, counts) {
    const total = counts.reduce((sum, [, count]) => sum + count, 0);
    const place = (share) => 56 + ((WIDTH - 80) * Math.log10(1 / (1 - share))) / Math.log10(2 * total);
    const scale = axis(counts[0][0], counts[counts.length - 1][0], 190, 20);
    let sum = 0;
    const points = counts.map(([x, count]) => {
      sum += count;
      return `${place(Math.min(sum / total, 1 - 0.5 / total)).toFixed(1)},${scale.at(x).toFixed(1)}`;
    });
    const shares = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999].filter((share) => 1 - share > 0.5 / total);
    const grid = shares.map((share) => `<line class="grid" x1="${place(share).toFixed(1)}" x2="${place(share).toFixed(1)}" y1="20" y2="190"/>${text(place(share), 206, `${Number((share * 100).toFixed(3))} %`, 'middle', 'soft')}`).join('');
    const levels = scale.ticks.map((tick) => `<line class="grid" x1="56" x2="${WIDTH - 24}" y1="${scale.at(tick).toFixed(1)}" y2="${scale.at(tick).toFixed(1)}"/>${text(50, (scale.at(tick) + 4).toFixed(1), show(tick, cell.unit), 'end', 'soft')}`).join('');
    return svg(216, 'Values by percentile', `${grid}${levels}<polyline class="curve" points="${points.join(' ')}"/>`);
  }
  // Of what has no histogram: every value, a line for each process.
  function strips(cell) {
    const lists = cell.values.filter((list) => list.length);
    const all = lists.flat();
    const scale = axis(Math.min(...all), Math.max(...all), 90, WIDTH - 16);
    const bottom = 24 + 22 * lists.length;
    const dots = lists.map((list, at) => text(8, 40 + 22 * at, `process ${at + 1}`, 'start', 'soft') + list.map((x) => `<circle class="dot faint" cx="${scale.at(x).toFixed(1)}" cy="${36 + 22 * at}" r="4"/>`).join('')).join('');
    return svg(bottom + 24, `${all.length} samples by process`, `${band(cell, scale, 20, bottom)}${across(scale, cell.unit, bottom, 20)}${dots}${middle(cell, scale, 20, bottom)}`);
  }
  function phases(cell) {
    const parts = cell.parts.filter(([, amount, shown]) => amount > 0 && /s$/.test(shown) && cell.unit === 'ns');
    const sum = parts.reduce((all, [, amount]) => all + amount, 0);
    if (!parts.length) return '';
    let x = 0;
    const bars = parts.map(([, amount], at) => {
      const width = (WIDTH * amount) / sum;
      const bar = `<rect class="phase phase-${at % 6}" x="${x.toFixed(1)}" y="4" width="${Math.max(width - 1, 0.5).toFixed(1)}" height="26"/>`;
      x += width;
      return bar;
    }).join('');
    const legend = parts.map(([name, amount, shown], at) => `<li><span class="key phase-${at % 6}"></span>${escape(name)}: ${escape(shown)} <span class="soft">(${amount / sum < 0.01 ? '< 1' : Math.round((100 * amount) / sum)} %)</span></li>`).join('');
    return `<h3>Phases</h3><svg class="own shares" viewBox="0 0 ${WIDTH} 34" preserveAspectRatio="none" role="img" aria-label="Share of each phase">${bars}</svg><ul class="legend">${legend}</ul>`;
  }

  // What a reader takes away.
  const file = (cell, ending) => `${[cell.runtime, cell.function, cell.scenario].join('_').replace(/[^A-Za-z0-9.+-]+/g, '-')}.${ending}`;
  function save(name, type, content) {
    const anchor = document.createElement('a');
    anchor.href = URL.createObjectURL(new Blob([content], { type }));
    anchor.download = name;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 10000);
  }
  const log = (cell, counts) => {
    const most = counts[counts.length - 1][0];
    return `#[isobar ${data.run}: ${cell.runtime} ${cell.function} ${cell.scenario}, nanoseconds]\n#[Histogram log format version 1.3]\n`
      + `"StartTimestamp","Interval_Length","Interval_Max","HdrHistogram"\n0.000,1.000,${(most / 1e6).toFixed(3)},${cell.histogram}\n`;
  };
  const table = (header, rows) => `${[header, ...rows].map((line) => line.join(',')).join('\n')}\n`;
  const whole = (cell) => cell.values && table(['process', cell.unit.replace(' ', '_')], cell.values.flatMap((list, at) => list.map((x) => [at + 1, x])));

  // A cell's own page.
  const list = (pairs) => `<dl>${pairs.filter(([, meaning]) => meaning).map(([word, meaning]) => `<dt>${escape(word)}</dt><dd>${meaning}</dd>`).join('')}</dl>`;
  function numbers(cell) {
    const others = data.cells.filter((other) => other.function === cell.function && other.scenario === cell.scenario && !other.failed);
    const best = others.find((other) => other.ratio === 1);
    return list([
      [cell.number === 'slope' ? 'Slope' : 'Median', `<strong>${escape(cell.shown)}</strong> (${escape(cell.direction)})`],
      ['95 % interval', `${escape(cell.interval)}, ±${escape(cell.within)}`],
      ['Ratio', cell.ratio === 1 ? '1.00x: the best here' : `${escape(cell.times)} worse than ${best ? link(best, `${best.runtime}, ${best.shown}`) : 'the best'}`],
      ['Samples', `${cell.samples} in ${cell.processes} ${cell.processes === 1 ? 'process' : 'processes'}`],
      ['Ended by', escape(cell.stop)],
      ['MAD', cell.mad && escape(cell.mad)],
      ['Percentiles', cell.percentiles.map(([name, shown]) => `${escape(name)} ${escape(shown)}`).join(', ')],
      ['Parts', cell.unit === 'ns' && cell.parts.every(([, , shown]) => /s$/.test(shown)) ? '' : cell.parts.map(([name, , shown]) => `${escape(name)} ${escape(shown)}`).join(', ')],
      ['Artifact', cell.artifact && escape(cell.artifact)],
    ]);
  }
  function rounds(cell) {
    const line = (round) => `<tr><th scope="row">${round.round + 1}</th>${value(escape(round.shown), round.median, round.median ? '' : 'failed')}${value(round.samples, round.samples)}<td>${escape(round.warm_up)}</td><td>${escape(round.noise)}</td></tr>`;
    return `<h3>Processes</h3><div class="wide" tabindex="0"><table class="numbers">${heads(['Process', 'Median', 'Samples', 'Warm-up', 'Noise'])}<tbody>${cell.rounds.map(line).join('')}</tbody></table></div>`;
  }
  function beside(cell) {
    const same = data.cells.filter((other) => other.function === cell.function && other.scenario === cell.scenario);
    const line = (other) => `<tr${other === cell ? ' class="this"' : ''}><th scope="row">${broken(other.runtime)}</th>${classes ? name(other.class) : ''}`
      + (other.failed ? `${value(link(other, `failed: ${other.failed}`), NaN, 'failed')}<td></td><td></td></tr>`
        : `${value(link(other, other.shown), other.value, other.ratio === 1 ? 'best' : '')}<td>${escape(other.interval)}</td>${value(escape(other.times), other.ratio)}</tr>`);
    const more = data.cells.filter((other) => other.runtime === cell.runtime && other.function === cell.function && other !== cell);
    return `<h3>Beside it: ${escape(cell.title.toLowerCase())} of ${escape(cell.function)}</h3><div class="wide" tabindex="0"><table class="numbers">${heads(['Runtime', ...(classes ? ['Class'] : []), 'Number', '95 % interval', 'Ratio'])}<tbody>${same.map(line).join('')}</tbody></table></div>`
      + (more.length ? `<h3>The same runtime and function</h3><ul class="sentences">${more.map((other) => `<li>${link(other, other.title)}: ${escape(other.failed ? `failed: ${other.failed}` : other.shown)}</li>`).join('')}</ul>` : '');
  }
  async function draw(cell) {
    if (!cell.histogram) {
      $('drawing').innerHTML = cell.values && cell.values.flat().length ? strips(cell) : '<p>There are no samples.</p>';
      if (!cell.latencies) return;
      const latencies = await decode(cell.latencies).catch(() => []);
      if (!latencies.length || !$('drawing') || $('drawing').dataset.cell !== address(cell)) return;
      $('drawing').innerHTML += `<h3>Latency by percentile</h3>${percentiles({ ...cell, unit: 'ns' }, latencies)}`;
      return;
    }
    let counts;
    try {
      counts = await decode(cell.histogram);
    } catch (error) {
      $('drawing').innerHTML = '<p>This browser cannot inflate the histogram; it can be saved all the same.</p>';
      $('save-csv').hidden = true;
      $('save-log').onclick = () => save(file(cell, 'hlog'), 'text/plain', log(cell, [[cell.high, 0]]));
      return;
    }
    if (!$('drawing') || $('drawing').dataset.cell !== address(cell)) return;
    $('drawing').innerHTML = `${distribution(cell, counts)}<h3>Percentiles</h3>${percentiles(cell, counts)}`;
    $('save-log').onclick = () => save(file(cell, 'hlog'), 'text/plain', log(cell, counts));
    $('save-csv').onclick = () => save(file(cell, 'csv'), 'text/csv', table(['value_ns', 'count'], counts));
  }
  function page(cell) {
    const told = (data.runtimes[cell.runtime] || []).map(([word, meaning]) => [word, escape(meaning)]);
    const head = `<p class="back"><a href="#all-cells">All cells</a> / <a href="#${cell.function.toLowerCase().replace(/[^a-z0-9]/g, '-')}">${escape(cell.function)}</a></p>`
      + `<h2>${escape(cell.title)}, ${escape(cell.function)}<br>in ${broken(cell.runtime)}${classes ? ` <span class="soft">(${escape(cell.class)})</span>` : ''}</h2>`;
    const body = cell.failed
      ? list([['Failed', `<span class="failed">${escape(cell.failed)}</span>, in ${cell.failures} of ${cell.processes} processes`], ['What happened', escape(cell.text)]])
      : `${numbers(cell)}<h3>Distribution</h3><div id="drawing" data-cell="${escape(address(cell))}"></div>`
        + `<p class="files">${cell.histogram ? '<button type="button" id="save-log">Save the histogram (HdrHistogram log)</button> <button type="button" id="save-csv">Save its counts (CSV)</button>' : '<button type="button" id="save-csv">Save the samples (CSV)</button>'}</p>${phases(cell)}`;
    const readings = cell.readings && cell.readings.length ? `<h3>Counted meanwhile</h3>${list(cell.readings.map(([word, shown]) => [word, escape(shown)]))}` : '';
    $('cell').innerHTML = head + body + rounds(cell) + readings + `<h3>The runtime</h3>${list(told)}` + beside(cell);
    $('cell').querySelectorAll('table').forEach(sortable);
    if (!cell.failed) draw(cell);
    if ($('save-csv')) $('save-csv').onclick = () => save(file(cell, 'csv'), 'text/csv', whole(cell) || '');
  }
  const title = document.title;
  function route() {
    const hash = location.hash;
    let cell = null;
    if (hash.startsWith('#cell=')) {
      try {
        const [runtime, name, scenario] = hash.slice(6).split(',').map(decodeURIComponent);
        cell = data.cells.find((one) => one.runtime === runtime && one.function === name && one.scenario === scenario) || null;
      } catch (error) {
        cell = null;
      }
    }
    const was = !$('cell').hidden;
    $('main').hidden = cell !== null;
    $('cell').hidden = cell === null;
    if (cell) {
      page(cell);
      document.title = `${cell.runtime} ${cell.function} ${cell.scenario} - isobar`;
      scrollTo(0, 0);
      $('cell').focus({ preventScroll: true });
    } else {
      document.title = title;
      const target = was && hash && document.getElementById(decodeURIComponent(hash.slice(1)));
      if (target) target.scrollIntoView();
    }
  }
  addEventListener('hashchange', route);
  route();

  // Charts and commands to take away.
  document.querySelectorAll('figure[id^="chart-"]').forEach((figure) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Save as SVG';
    button.addEventListener('click', () => {
      const copy = figure.querySelector('svg').cloneNode(true);
      const style = document.createElementNS(copy.namespaceURI, 'style');
      style.textContent = 'text { font-family: Inter, "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif }';
      copy.prepend(style);
      save(`${figure.id.slice(6)}.svg`, 'image/svg+xml', new XMLSerializer().serializeToString(copy));
    });
    figure.querySelector('figcaption').append(' ', button);
  });
  document.querySelectorAll('.code').forEach((box) => {
    if (!navigator.clipboard) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(box.querySelector('pre').textContent);
      button.textContent = 'Copied';
    });
    box.append(button);
  });
})();
