// Runs in every document before its own scripts: tells times and web vitals whenever one of them becomes known.
(() => {
  if (window !== window.top || !location.protocol.startsWith("http")) return;
  const known = { url: location.href, start: performance.timeOrigin };
  const tell = () => window.__pharosTell({ ...known });
  const observe = (type, take) => {
    new PerformanceObserver((list) => {
      list.getEntries().forEach(take);
      tell();
    }).observe({ type, buffered: true });
  };
  observe("paint", (entry) => {
    if (entry.name === "first-contentful-paint") known.fcp = entry.startTime;
  });
  observe("largest-contentful-paint", (entry) => {
    known.lcp = entry.startTime;
  });
  // Layout shifts count by bursts: at most a second between two shifts, at most five seconds in all; the worst counts.
  let burst = { sum: 0, first: 0, last: 0 };
  known.cls = 0;
  observe("layout-shift", (entry) => {
    if (entry.hadRecentInput) return;
    const goesOn = entry.startTime - burst.last < 1000 && entry.startTime - burst.first < 5000;
    burst = goesOn ? { ...burst, sum: burst.sum + entry.value, last: entry.startTime }
      : { sum: entry.value, first: entry.startTime, last: entry.startTime };
    known.cls = Math.max(known.cls, burst.sum);
  });
  const navigation = () => performance.getEntriesByType("navigation")[0];
  known.ttfb = navigation().responseStart;
  known.status = navigation().responseStatus;
  window.addEventListener("load", () => setTimeout(() => {
    known.load = navigation().loadEventEnd;
    tell();
  }, 0));
  tell();
})();
