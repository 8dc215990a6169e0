const express = require("express");
const { signIn } = require("./session");

const router = express.Router();

router.post("/login", async (req, res) => {
  const user = await signIn(req.body.name, req.body.password);
  if (!user) {
    return res.status(401).render("login", { failed: true });
  }
  const next = req.query.next || "/orders";
  res.redirect(next);
});

module.exports = router;
