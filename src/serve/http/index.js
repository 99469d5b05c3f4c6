// Shows an answer below its form. Without this script a form that sends no body works all the same.
for (const form of document.forms) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const output = form.querySelector("output"), timing = form.querySelector(".timing");
    const body = form.querySelector("textarea"), query = new URLSearchParams();
    for (const field of form.querySelectorAll("input")) {
      if (field.value !== "" || field.dataset.given) query.set(field.name, field.value);
    }
    const options = body ? { method: "POST", body: body.value } : {};
    try {
      const answer = await fetch(form.getAttribute("action") + "?" + query, options);
      output.textContent = await answer.text();
      const parts = answer.headers.get("server-timing") || "";
      timing.textContent = answer.status + " " + parts.replaceAll(";dur=", " ").replaceAll(",", " ms,") + (parts && " ms");
    } catch (error) {
      output.textContent = error;
    }
  });
}
